"""What a function file calls: one handler, inside its invocation's limits."""

from collections.abc import Callable

from msgspec import Struct

from kycourier.core.errors import HandlerFailedError
from kycourier.triggers.invocation import Invocation
from kycourier.usecases.deadlines import Deadline


class Function(Struct, frozen=True):
    """One function. `handle_failure` builds the response if the handler fails."""

    handle: Callable[[object, Deadline], object]
    invocation: Invocation
    handle_failure: Callable[[], object] | None = None

    def invoke(self, event: object, context: object) -> object:
        """Handles one event.

        Args:
            event: The cloud's event.
            context: Lambda's context object or SCF's dict.

        Returns:
            The response in the form that the trigger expects.

        Raises:
            HandlerFailedError: the handler failed and has no response for that.
        """
        try:
            return self.invocation.run(
                lambda deadline: self.handle(event, deadline), context
            )
        except HandlerFailedError:
            if self.handle_failure is None:
                raise
        return self.handle_failure()
