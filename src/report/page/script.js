"use strict";
// The page is whole without this: it sorts tables, changes between light and dark, and saves figures.
(() => {
  const root = document.documentElement, theme = document.getElementById("theme");
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
  label();

  // Numbers by size, words by the alphabet; what is empty comes last either way.
  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return cell.classList.contains("empty") ? null : cell.textContent.trim();
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true }));
  for (const table of document.querySelectorAll(".table table")) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    if (body.rows.length < 2) continue;
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      if (!button.textContent) button.setAttribute("aria-label", "sort by name");
      head.append(button);
      button.addEventListener("click", () => {
        const way = head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", way);
        const sign = way === "ascending" ? 1 : -1;
        const rows = [...body.rows].map((row) => [key(row, column), row]);
        rows.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : sign * compare(a, b)));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  for (const figure of document.querySelectorAll(".drawn")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "SVG";
    figure.querySelector("figcaption > span").after(button);
    button.addEventListener("click", () => {
      const drawing = figure.querySelector("svg").cloneNode(true);
      const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
      style.textContent = document.querySelector("style").textContent.split("*{box-sizing")[0];
      drawing.prepend(style);
      const url = URL.createObjectURL(new Blob([drawing.outerHTML], { type: "image/svg+xml" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = `${figure.dataset.file}.svg`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
  }
})();
