"""What is wrong with this setup, if anything; no setting's value is shown."""

from kycourier_devkit.doctor.examined import NOTE, PROBLEM, Row
from kycourier_devkit.doctor.service import examine_service
from kycourier_devkit.doctor.settings import examine_settings
from kycourier_devkit.session import Session


def examine(session: Session) -> int:
    """Look at everything and print it; give the exit code."""
    rows = list(examine_settings(session))
    if any(row.state == PROBLEM for row in rows):
        rows.append(Row(NOTE, "the rest", "looked at once the settings are right"))
    else:
        rows += examine_service(session)
    cells = [(row.state, row.name, row.why) for row in rows]
    session.screen.table(("", "what", "how it stands"), cells)
    problems = sum(row.state == PROBLEM for row in rows)
    if problems:
        session.screen.problem(f"{problems} problem{'s' if problems > 1 else ''}")
        return 1
    session.screen.line("Nothing is wrong.")
    return 0
