"""`check` and `replay` answer as the commands do."""

import gzip
import json
import re
import shutil

import numpy as np
import pytest

import gdstar


def test_a_report_is_the_commands_byte_for_byte(command, golden, tmp_path):
    files = sorted(golden.glob("exact/*.expected.safetensors"))
    assert len(files) > 5
    broken = broken_copy(files[0], tmp_path)
    for path in [*files[:4], broken]:
        told, _, code = command("check", path)
        report = gdstar.check(path)
        assert (str(report), report.exit_code) == (told, code), path
        assert report.details == json.loads(command("check", "--json", path)[0])
    assert report.verdict == "FAIL" and report.findings[0].got == 1234.5


def test_options_are_the_commands(command, golden):
    path = golden / "exact" / "default.expected.safetensors"
    for options, arguments in [({"exact": True}, ["--exact"]), ({"without_step": True}, ["--without-step"])]:
        assert str(gdstar.check(path, **options)) == command("check", *arguments, path)[0]
    with pytest.raises(gdstar.Error, match="^insist: "):
        gdstar.check(path, insist=True, without_step=True)
    with pytest.raises(gdstar.Error, match="^runs: "):
        gdstar.check(path, runs=["a"])


def test_an_error_is_the_commands_line(command, tmp_path):
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    for path in [tmp_path / "cut.safetensors", tmp_path / "none.safetensors", tmp_path]:
        _, told, code = command("check", path)
        with pytest.raises(gdstar.Error) as caught:
            gdstar.check(path)
        assert code == 2 and told == f"gdstar: {caught.value}\n"


def test_arrays_are_judged_as_their_file_is(golden, trace):
    arrays, header = trace
    assert gdstar.check(arrays, header).verdict == "PASS"
    arrays["epoch/0/S_F"] = np.array([5.0])
    report = gdstar.check(arrays, header, name="mine")
    finding = report.findings[0]
    assert report.verdict == "FAIL" and str(report).startswith("FAIL  mine  (a test)\n")
    assert (finding.equation, finding.tensor, finding.index, finding.got) == ("eq4", "epoch/0/S_F", (0,), 5.0)
    assert finding.expected_low <= np.sqrt(26.0) <= finding.expected_high
    assert "first divergence: epoch 0, eq4 in epoch/0/S_F[0]" in str(report)
    path = golden / "exact" / "chunks.expected.safetensors"
    metadata, tensors = read(path)
    again = gdstar.check(tensors, json.loads(metadata["gdstar"]), name=str(path))
    assert str(again) == str(gdstar.check(path))


def test_content_and_compressed_files_are_judged_as_the_file_is(command, golden, tmp_path):
    path = golden / "exact" / "chunks.expected.safetensors"
    text = str(gdstar.check(path))
    assert str(gdstar.check(path.read_bytes(), name=str(path))) == text
    packed = tmp_path / "chunks.safetensors.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert str(gdstar.check(packed)) == text.replace(str(path), str(packed)) == command("check", packed)[0]


def test_numbers_that_are_not_finite_come_as_numbers(trace):
    arrays, header = trace
    arrays["epoch/0/S_F"] = np.array([np.nan])
    assert np.isnan(gdstar.check(arrays, header).findings[0].got)


@pytest.mark.parametrize(
    ("arrays", "header", "said"),
    [
        ({}, None, "arrays: header: expected one beside arrays"),
        ({}, {"format": "other"}, "arrays: header: format: expected one of gdstar-trace/1, gdstar-ops/1, found 'other'"),
        ({"a": np.array(["x"])}, {"format": "gdstar-trace/1"}, "arrays: a: expected one of float64"),
        ({}, {"format": "gdstar-trace/1"}, "arrays: metadata `gdstar`: "),
    ],
)
def test_what_is_no_file_is_refused_in_one_line(arrays, header, said):
    with pytest.raises(gdstar.Error, match="^" + re.escape(said)) as caught:
        gdstar.check(arrays, header)
    assert "\n" not in str(caught.value)
    with pytest.raises(gdstar.Error, match="^header: expected none beside a file"):
        gdstar.check("a.safetensors", {})


def test_replay_is_the_commands(command, golden, tmp_path):
    source = golden / "exact" / "default.safetensors"
    told = command("replay", source, "--out", tmp_path / "a.safetensors")[1]
    notes = gdstar.replay(source, out=tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert "".join(f"gdstar: {source}: {note}\n" for note in notes) == told
    header, arrays, again = gdstar.replay(source)
    metadata, expected = read(tmp_path / "a.safetensors")
    assert header == json.loads(metadata["gdstar"]) and again == notes
    assert arrays.keys() == expected.keys()
    assert all(arrays[name].tobytes() == expected[name].tobytes() for name in arrays)
    assert gdstar.check(arrays, header).verdict == "PASS"
    with pytest.raises(gdstar.Error, match="^out: expected None beside arrays"):
        gdstar.replay(arrays, header, out=tmp_path / "c.safetensors")
    with pytest.raises(gdstar.Error, match="none.safetensors: cannot read: No such file"):
        gdstar.replay(tmp_path / "none.safetensors")


def read(path):
    """The metadata and the tensors of a file."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    kinds = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "U8": "u1"}
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, stop = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[end + begin : end + stop], kinds[entry["dtype"]]).reshape(entry["shape"])
    return metadata, tensors


def broken_copy(path, folder):
    """The same trace with another S_sq in its first epoch."""
    copy = folder / "broken.safetensors"
    shutil.copy(path, copy)
    data = bytearray(copy.read_bytes())
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    name = min(name for name in header if name.endswith("/S_sq"))
    begin, stop = header[name]["data_offsets"]
    kind = {"F64": "<f8", "F32": "<f4"}[header[name]["dtype"]]
    data[end + begin : end + stop] = np.array([1234.5], kind).tobytes()
    copy.write_bytes(data)
    return copy
