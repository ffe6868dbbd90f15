"""The equations over NumPy arrays: the paper's, in place, and no array of another kind is taken for granted."""

import inspect
import re
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import gdstar
from gdstar import _gdstar, paper


def test_every_equation_of_the_paper_is_there():
    names = [function for _, function, _ in paper.equations()]
    assert len(names) == 14
    # Alg. 4 is a method of the rewind point.
    owners = [paper.RewindPoint if name.startswith("RewindPoint::") else paper for name in names]
    assert all(hasattr(owner, name.split("::")[-1]) for owner, name in zip(owners, names))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_epoch_of_the_method_by_hand(dtype):
    gradients = [np.array([3, -1, 0, 2], dtype), np.array([4, 2, 0, -2], dtype)]
    g = paper.accumulated_squares(gradients)
    assert g.dtype == dtype and g.tolist() == [25, 5, 0, 8]
    assert paper.sum_of_l1_norms(gradients) == 14
    assert paper.frobenius_norm(paper.sum_of_squares(g)) == np.sqrt(38.0)
    found = paper.select_weights(g, np.ones(4, bool), 0.5, 2)
    assert found.chunk_quantiles.dtype == dtype and found.chunk_quantiles.tolist() == [15, 4]
    assert (found.tau, found.selected.tolist()) == (9.5, [False, True, True, True])
    w, mask = np.full(4, 9, dtype), np.array([True, True, False, True])
    star = np.array([8, 2, 8, 8], dtype)
    assert paper.rewind_decay(w, star, found.selected, mask, lambda_=0.5, t=2, eps=1.0) == (2, 1)
    assert w.tolist() == [9, 0, 0, 2] and mask.tolist() == [True, False, False, True]


def test_a_sum_of_float32_is_rounded_to_float32_once():
    third = np.full(3, 1 / 3, np.float32)
    exact = 3 * float(third[0])
    assert paper.sum_of_squares(third) == float(np.float32(exact))
    assert paper.sum_of_squares(third) != exact


def test_arrays_of_any_shape_are_read_row_major():
    g = np.arange(6.0).reshape(2, 3)
    assert paper.below_threshold(g, 2.0).tolist() == [True, True, False, False, False, False]


def test_large_arrays_are_not_copied():
    g = np.ones(4_000_000)
    tracemalloc.start()
    paper.sum_of_squares(g)
    paper.quantile(g, 0.5)
    paper.mask_gradient(g, np.ones(g.size, bool), "dense")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < g.nbytes / 4, "NumPy counts what it allocates; the mask is an eighth"


def test_other_threads_run_meanwhile():
    g, ticks, done = np.random.default_rng(1).random(3_000_000), [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begun = time.perf_counter()
    while len(ticks) < 3:
        time.sleep(0.001)
    longest, spans = 0.0, []
    for _ in range(5):
        begin = time.perf_counter()
        paper.chunk_quantiles(g, 0.5, 7)
        spans.append((begin, time.perf_counter()))
    done.set()
    thread.join()
    begin, end = max(spans, key=lambda span: span[1] - span[0])
    within = [t for t in ticks if begin < t < end]
    assert end - begin > 0.004, "long enough to tell"
    assert len(within) >= 2, f"{len(within)} ticks in {end - begin:.3f} s of the longest call"
    assert begun < begin


@pytest.mark.parametrize(
    ("array", "said"),
    [
        ([1.0, 2.0], "expected a NumPy array of float32 or float64, found list"),
        (np.arange(3), "found dtype int64"),
        (np.ones(3, np.float16), "found dtype float16"),
        (np.ones(3, ">f8"), "found dtype >f8"),
        (np.ones((2, 3), order="F"), "not row-major and aligned: numpy.ascontiguousarray makes it so"),
        (np.ones(6)[::2], "not row-major and aligned"),
        (np.frombuffer(bytearray(17), np.float64, 2, offset=1), "not row-major and aligned"),
    ],
    ids=["list", "integers", "half", "byte-order", "column-major", "strided", "unaligned"],
)
def test_an_array_of_another_kind_is_refused_by_name(array, said):
    with pytest.raises(TypeError, match=re.escape(said)) as caught:
        paper.sum_of_squares(array)
    assert "\n" not in str(caught.value)
    # Python 3.10 has no notes.
    assert getattr(caught.value, "__notes__", ["while processing 'g'"]) == ["while processing 'g'"]


def test_dtypes_are_not_mixed():
    with pytest.raises(TypeError, match="expected arrays of one dtype, float64 as the first has"):
        paper.accumulated_squares([np.ones(2), np.ones(2, np.float32)])
    with pytest.raises(TypeError, match="one dtype"):
        paper.accumulate_squares(np.ones(2, np.float32), np.ones(2))


def test_what_is_changed_in_place_can_be_changed_and_is_no_operand():
    w = np.ones(2)
    w.flags.writeable = False
    with pytest.raises(TypeError):
        paper.accumulate_squares(w, np.ones(2))
    g = np.ones(2)
    with pytest.raises(Exception, match="borrow"):
        paper.accumulate_squares(g, g)


def test_errors_are_the_librarys_one_line():
    with pytest.raises(gdstar.Error, match="^lambda of Eq. 9: expected a number in .0, 1., found 1.5$"):
        paper.decayed_weight(1.0, 1.5, 1, 0.0)
    with pytest.raises(gdstar.Error, match="^reading: expected .*unknown variant `lowest`"):
        paper.select_weights(np.ones(2), np.ones(2, bool), 0.5, reading={"quantile": "lowest"})
    with pytest.raises(gdstar.Error, match=r"^quantile: expected linear \| lower"):
        paper.quantile(np.ones(2), 0.5, rule="lowest")
    assert issubclass(gdstar.Error, ValueError)


def test_a_mask_that_fails_changes_nothing():
    w, mask = np.array([1.0, np.nan]), np.ones(2, bool)
    with pytest.raises(gdstar.Error, match="weight 1 of Alg. 6"):
        paper.rewind_decay(w, None, np.ones(2, bool), mask, lambda_=0.5, t=1, eps=1.0)
    assert w[0] == 1.0 and mask.all()


def test_the_stubs_have_every_name_and_every_parameter():
    stubs = Path(gdstar.__file__).with_name("_gdstar.pyi").read_text()
    public = {name for name in vars(_gdstar) if not name.startswith("__")}
    assert public == set(re.findall(r"^(?:def|class) (\w+)", stubs, re.M))
    functions = {name: value for name, value in vars(_gdstar).items() if inspect.isroutine(value)}
    flat = re.sub(r"\s+", " ", stubs)
    for name, function in functions.items():
        written = re.search(rf"def {name}\((.*?)\) ->", flat).group(1)
        written = re.findall(r"(?:^|, ?|^ )(\*|\w+)(?=:|,|$)", re.sub(r"\[[^\]]*(?:\[[^\]]*\][^\]]*)*\]", "", written))
        parameters = inspect.signature(function).parameters.values()
        assert [p for p in written if p != "*"] == [p.name for p in parameters], name
