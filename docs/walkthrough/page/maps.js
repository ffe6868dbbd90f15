// Maps of the first layer, a pixel a weight.

const LAYER = { units: 300, side: 8, across: 20 };
const FATES = ["spared", "selected", "eliminated", "gone"];

// Of a colour as the page has it now, in light or dark: red, green, blue.
function rgb(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return found;
}

// Where weight j of the first layer lies on a map: squares of 8 by 8 with a pixel between them.
function spot(j) {
  const [unit, pixel] = [Math.floor(j / 64), j % 64];
  return [(unit % LAYER.across) * 9 + (pixel % 8), Math.floor(unit / LAYER.across) * 9 + Math.floor(pixel / 8)];
}

function paint(canvas, shade) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let j = 0; j < LAYER.units * 64; j += 1) {
    const [x, y] = spot(j);
    const [r, g, b] = shade(j);
    image.data.set([r, g, b, 255], 4 * (y * canvas.width + x));
  }
  context.putImageData(image, 0, 0);
}

function drawMap() {
  const canvas = at("map");
  const fates = state.fates;
  at("legend").hidden = Boolean(state.squares);
  if (state.squares) {
    const shades = [rgb("--ground"), ...[1, 2, 3, 4, 5, 6, 7].map((i) => rgb(`--shade${i}`))];
    const largest = Math.log10(Math.max(...state.squares.subarray(0, 19200)));
    paint(canvas, (j) => {
      const g = state.squares[j];
      return shades[g === 0 ? 0 : Math.max(1, Math.min(7, Math.ceil(7 + (Math.log10(g) - largest) * 0.75)))];
    });
  } else {
    const shades = FATES.map((fate) => rgb(`--${fate}`));
    paint(canvas, (j) => shades[fates[j]]);
  }
  if (state.j < 19200) {
    const [x, y] = spot(state.j);
    const context = canvas.getContext("2d");
    context.strokeStyle = `rgb(${rgb("--ink").slice(0, 3)})`;
    context.strokeRect(x - 1.5, y - 1.5, 4, 4);
  }
  const count = (fate) => fates.subarray(0, 19200).filter((f) => f === fate).length;
  canvas.setAttribute("aria-label", `Map of the 19,200 weights of the first layer after epoch ${state.k}: ${count(0)} left alone, ${count(1)} selected and rewound, ${count(2)} eliminated now, ${count(3)} eliminated before. Arrow keys move to another weight.`);
}
