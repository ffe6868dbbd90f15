"""What the documents show is run."""

import re

from conftest import REPOSITORY


def blocks(document):
    """The Python in a document, in its order."""
    text = (REPOSITORY / "docs" / document).read_text()
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


def test_the_package_s_page_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = blocks("python.md")
    assert len(code) >= 5
    names = {}
    for block in code:
        exec(compile(block, "docs/python.md", "exec"), names)
    # Its tests are tests.
    names["test_linear"]()
    names["test_trace"]()
    if names["torch"] is not None:
        names["test_step_of_my_model"](tmp_path)
    assert capsys.readouterr().out.startswith("FAIL  arrays  (my port)\n")
