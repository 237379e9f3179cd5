"""Cloud events in, cloud responses out: queue, timer, invocation; no rules."""
