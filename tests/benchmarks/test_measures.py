"""What the table says."""

from benchmarks.measures import Measure, at_least, at_most, load, save, table


def test_a_rate_is_compared_with_its_reference():
    rate = at_least("bulk", 50, 100, 0.5, "/s")

    assert (rate.value, rate.reference, rate.ratio) == ("50 /s", "100 /s", "0.50")
    assert rate.is_met
    assert not at_least("bulk", 49, 100, 0.5, "/s").is_met


def test_a_cost_may_grow_so_far():
    assert at_most("flat", 1.3, 1.0, 1.3, "ms").is_met
    assert not at_most("flat", 1.4, 1.0, 1.3, "ms").is_met


def test_a_missed_aim_stands_out_and_none_is_silent():
    lines = table([at_least("slow", 1, 100, 0.5, "/s"), Measure("told", "5")])

    assert "MISSED" in lines
    assert lines.splitlines()[-1].split() == ["told", "5"]


def test_measures_survive_the_way_to_the_other_process(tmp_path):
    measures = [at_least("bulk", 1, 2, 0.5, "/s"), Measure("told", "5")]

    save(measures, tmp_path / "measures.json")

    assert load(tmp_path / "measures.json") == measures
