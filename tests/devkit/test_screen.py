"""What a person sees, on a terminal and in a pipe."""

import io
import re

import pytest

from kycourier_devkit.screen import Screen

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def pipes():
    return io.StringIO(), io.StringIO()


@pytest.fixture
def terminals(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal(), Terminal()


def show_everything(streams):
    screen = Screen(*streams)
    screen.line("a line", style="bold")
    screen.item("ok", "a thing", indent=2)
    screen.table(("order", "state"), [("A1", "collected"), ("A22", "waiting")])
    with screen.progress("Collecting", 2) as bar:
        bar.step()
    screen.problem("a problem")


def test_a_pipe_gets_plain_lines_that_can_be_searched(pipes):
    show_everything(pipes)
    assert pipes[0].getvalue() == (
        "a line\n  ok  a thing\nORDER  STATE\nA1     collected\nA22    waiting\n"
    )
    assert pipes[1].getvalue() == "a problem\n"


def test_a_terminal_gets_colours_and_a_bar(terminals):
    show_everything(terminals)
    assert "\x1b[32mok\x1b[0m" in terminals[0].getvalue()
    assert "\x1b[32mcollected\x1b[0m" in terminals[0].getvalue()
    assert "Collecting" in terminals[1].getvalue()


def test_long_lines_stay_whole_in_a_pipe(pipes):
    screen = Screen(*pipes)
    screen.line("x" * 300)
    screen.table(("name",), [("y" * 300,)])
    assert pipes[0].getvalue().splitlines() == ["x" * 300, "NAME", "y" * 300]


def test_a_table_fits_a_terminal_of_80_columns(terminals, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    row = ("problem", "KYCOURIER_PHOTO_PATIENCE_SECONDS", "word " * 20)
    Screen(*terminals).table(("", "what", "how it stands"), [row])
    lines = terminals[0].getvalue().splitlines()
    assert len(lines) > 3
    assert max(len(ESCAPES.sub("", line)) for line in lines) <= 80


@pytest.mark.parametrize("streams", ["pipes", "terminals"])
def test_control_characters_and_markup_of_a_name_do_nothing(streams, request):
    out, err = request.getfixturevalue(streams)
    screen = Screen(out, err)
    screen.item("extra", "\x1b]0;title\x07[red]\n\udc80:smile:")
    assert "?]0;title?[red]??:smile:\n" in out.getvalue()
