"""The scheduler of virtual time, the scenarios of the seeds, the driver of a run."""
