"""Formats a load run as Markdown, for the terminal and the page."""

from collections.abc import Iterator

from bench.load.results import LoadRun

_MEGA = 1_000_000


def format_run(run: LoadRun) -> str:
    """Returns a run as Markdown."""
    parts = (_head(run), _latencies(run), _memory(run), _cpu(run), _outcome(run))
    return "\n\n".join("\n".join(part) for part in parts)


def _head(run: LoadRun) -> Iterator[str]:
    yield f"Run of {run.date} on {run.machine}; load {run.load_at_start} at its start."
    yield (
        f"{run.orders:,} orders in {run.seconds:,.0f} s:"
        f" **{run.orders / run.seconds:.1f} orders a second**."
        f" {run.workers} workers, at most {run.window} orders in progress,"
        f" photos of {run.photo_bytes:,} bytes."
    )


def _latencies(run: LoadRun) -> Iterator[str]:
    yield "| From call to event, ms | Orders | p50 | p95 | p99 | Max |"
    yield "|---|---|---|---|---|---|"
    for name, each in run.latencies.items():
        figures = (each.p50, each.p95, each.p99, each.max)
        cells = " | ".join(f"{figure:,.0f}" for figure in figures)
        yield f"| {name} | {each.orders:,} | {cells} |"


def _memory(run: LoadRun) -> Iterator[str]:
    yield "| Memory (RSS) after | All workers, MB | Smallest | Largest |"
    yield "|---|---|---|---|"
    for each in run.memory:
        sizes = (sum(each.workers), min(each.workers), max(each.workers))
        cells = " | ".join(f"{size / _MEGA:.1f}" for size in sizes)
        yield f"| {each.ended:,} orders | {cells} |"


def _cpu(run: LoadRun) -> Iterator[str]:
    yield "| CPU | Seconds | ms per order | Of a core |"
    yield "|---|---|---|---|"
    for name, used in run.cpu_seconds.items():
        each, share = used / run.orders * 1000, used / run.seconds
        yield f"| {name} | {used:,.0f} | {each:.2f} | {share:.2f} |"


def _outcome(run: LoadRun) -> Iterator[str]:
    states = ", ".join(f"{count:,} {name}" for name, count in run.states.items())
    yield (
        f"* {run.orders:,} accepted: {states}; {run.events:,} orders with one event"
        f" each, {run.repeated_lines} repeated lines, {run.photos:,} photos verified."
    )
    problems = "; ".join(run.problems) or "none"
    yield f"* Lost or wrong: {problems}. Retried calls: {run.retried_calls}."
    flat = "flat" if run.is_flat else "**growing**"
    yield f"* Memory of a worker at the end ÷ at a tenth: {run.growth:.2f} ({flat})."
    unusual = ", ".join(f"{count:,} {name}" for name, count in run.log_events.items())
    yield f"* Other log events: {unusual or 'none'}."
    yield f"* {run.log_bytes / run.orders:,.0f} bytes of log lines per order."
