"""G18: an ID card beside a bank card with the same photos; a face with a video."""

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure.figures import compare, summarize

MAX_RATIO = 1.15  # an ID card's order ÷ a bank card's, CPU
MAX_MEMORY = 2.6  # peak over idle ÷ the video's bytes
PHOTO_BYTES, VIDEO_BYTES = 200_000, 20_000_000
TURNS, WEIGHED = 60, 8


def measure(environment: BenchEnvironment) -> Measured:
    """Collects orders of two documents in turn, then faces with their videos."""
    environment.set_latency(0)
    cards: list[float] = []
    id_cards: list[float] = []
    with environment.start_service() as worker:
        for _ in range(3):
            worker.collect(PHOTO_BYTES)
            worker.collect(PHOTO_BYTES, document="id_card")
        for _ in environment.rounds(TURNS):
            cards.append(worker.collect(PHOTO_BYTES).cpu)
            id_cards.append(worker.collect(PHOTO_BYTES, document="id_card").cpu)
    files = {"KYCOURIER_FACE_FILES": "photo_and_video"}
    with environment.start_service(**files) as worker:
        worker.collect(1000, document="face")
        faces = [
            worker.collect_and_weigh(VIDEO_BYTES, document="face")
            for _ in environment.rounds(WEIGHED)
        ]
    peaks = [(each.peak - each.idle) / VIDEO_BYTES for each in faces]
    seconds = [each.sample.cpu for each in faces]
    return [
        compare(
            "ID card ÷ bank card, 3×200 KB",
            id_cards,
            cards,
            goal=MAX_RATIO,
            names=("ID card", "bank card"),
        ),
        summarize(
            "face, 20 MB of video: peak ÷ bytes", peaks, unit="", goal=MAX_MEMORY
        ),
        summarize("face, 20 MB of video: CPU", seconds, unit="s"),
    ], []


GOAL = Goal("G18", "documents", measure)
