"""Output on a terminal and in a pipe."""

import io
import re

import pytest

from kycourier_devkit.cli.terminal import Terminal

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class TtyStream(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def pipes():
    return io.StringIO(), io.StringIO()


@pytest.fixture
def terminals(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return TtyStream(), TtyStream()


def print_everything(streams):
    terminal = Terminal(*streams)
    terminal.line("a line", style="bold")
    terminal.item("ok", "a thing", indent=2)
    terminal.table(("order", "state"), [("A1", "collected"), ("A22", "waiting")])
    with terminal.progress("Collecting", 2) as bar:
        bar.advance()
    terminal.problem("a problem")


def test_pipe_gets_plain_lines(pipes):
    print_everything(pipes)
    assert pipes[0].getvalue() == (
        "a line\n  ok  a thing\nORDER  STATE\nA1     collected\nA22    waiting\n"
    )
    assert pipes[1].getvalue() == "a problem\n"
    Terminal(*pipes).table(("name",), [("y" * 300,)])
    assert pipes[0].getvalue().endswith(f"NAME\n{'y' * 300}\n")


def test_terminal_gets_colours_and_progress_bar(terminals):
    print_everything(terminals)
    assert "\x1b[32mok\x1b[0m" in terminals[0].getvalue()
    assert "\x1b[32mcollected\x1b[0m" in terminals[0].getvalue()
    assert "Collecting" in terminals[1].getvalue()


def test_table_fits_terminal_of_80_columns(terminals, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    row = ("problem", "KYCOURIER_PHOTO_PATIENCE_SECONDS", "word " * 20)
    Terminal(*terminals).table(("", "what", "result"), [row])
    lines = terminals[0].getvalue().splitlines()
    assert len(lines) > 3
    assert max(len(ESCAPES.sub("", line)) for line in lines) <= 80


def test_order_number_stays_whole_in_80_columns(terminals, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    row = ("A" * 32, "parked", "sink_unavailable 503", "2026-01-31 08:00:00")
    Terminal(*terminals).table(("order", "state", "why", "registered"), [row])
    lines = [ESCAPES.sub("", line) for line in terminals[0].getvalue().splitlines()]
    assert any(line.startswith("A" * 32 + " ") for line in lines)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("streams", ["pipes", "terminals"])
def test_control_characters_and_markup_have_no_effect(streams, request):
    out, err = request.getfixturevalue(streams)
    terminal = Terminal(out, err)
    terminal.item("extra", "\x1b]0;title\x07[red]\n\udc80:smile:")
    assert "?]0;title?[red]??:smile:\n" in out.getvalue()
