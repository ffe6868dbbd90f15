"""What the documents show is run."""

import re

import gdstar
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


def test_the_records_page_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, step, within, others = blocks("records.md")
    names = {"gdstar": gdstar}
    exec(compile(first, "docs/records.md", "exec"), names)
    assert gdstar.check("record.safetensors").passed
    names["dw"] = names["dy"].T @ names["x"]
    exec(compile(others, "docs/records.md", "exec"), names)
    assert gdstar.check("ops.safetensors").passed
    try:
        import torch
    except ImportError:
        return
    torch.manual_seed(0)
    model = names["model"] = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    names |= {"F": torch.nn.functional, "optimizer": torch.optim.SGD(model.parameters(), 0.1)}
    names |= {"images": torch.randn(4, 6), "labels": torch.tensor([0, 2, 1, 1])}
    for block in (step, within):
        exec(compile(block, "docs/records.md", "exec"), names)
        report = gdstar.check("step.safetensors")
        assert report.passed, report
