"""Each cause is named by show, serve, doctor, a log event and an alarm.

`docs/reference/causes.md` shows the lines, as real runs against the sandbox print them.
"""

import pytest

from kycourier.core.causes import Cause
from support.causes import platform_runs, service_runs
from support.causes.cause_rig import CauseRig
from support.causes.observations import PLACES, Cell, Observation
from support.causes.page import (
    PAGE,
    build_page,
    build_section,
    causes_of,
    read_sections,
    write_section,
)

RUNS = (
    platform_runs.run_without_connection,
    platform_runs.run_unusable_replies,
    platform_runs.run_paused_app,
    service_runs.run_tickets,
    service_runs.run_state,
    service_runs.run_files_and_receiver,
)


def title_of(run):
    """Return the heading of a run's section."""
    return run.__doc__.partition(".")[0]


TITLES = [title_of(run) for run in RUNS]


@pytest.fixture
def new_rig(tmp_path, starter):
    """Create rigs, each in a folder of its own; their serves end with the test."""
    rigs = []

    def create(**environ):
        folder = tmp_path / str(len(rigs))
        folder.mkdir()
        rigs.append(CauseRig(folder, starter, environ))
        return rigs[-1]

    yield create
    for rig in rigs:
        rig.stop()


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
def test_cause_is_named_in_every_place_as_the_page_shows(run, new_rig, pytestconfig):
    title, observations = title_of(run), list(run(new_rig))

    assert [fault for each in observations for fault in each.find_faults()] == []
    section = build_section(title, observations)
    if pytestconfig.getoption("--write-causes"):
        write_section(title, section, TITLES)
    assert read_sections().get(title) == section, (
        f"{PAGE.name} differs: run this test with --write-causes -n0"
    )


def test_page_has_every_cause_and_nothing_beside_the_runs():
    sections = read_sections()
    causes = {cause for each in sections.values() for cause in causes_of(each)}
    assert causes == {cause.value for cause in Cause}
    assert PAGE.read_text("utf-8") == build_page(sections, TITLES)


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (Cell(("waiting  timed_out  next",), "timed_out"), None),
        (Cell(("waiting  not_timed_out",), "timed_out"), "timed_out is not in"),
        (Cell((), "timed_out"), "timed_out is not in"),
        (Cell((), None), "neither a word nor a reason"),
        (Cell((), None, "There is no row."), None),
        (Cell(("Sweeps",), "Sweeps", rings=False), "no alarm"),
    ],
)
def test_place_that_does_not_name_the_cause_is_a_fault(cell, fault):
    cells = dict.fromkeys(PLACES, cell)
    faults = Observation(Cause.TIMED_OUT, "a run", cells).find_faults()
    assert len(faults) == (len(PLACES) if fault else 0)
    assert all(fault in each for each in faults)
    missing = Observation(Cause.TIMED_OUT, "a run", {}).find_faults()
    assert len(missing) == len(PLACES)
