"""A model of the fleet: how far it goes, what it costs, where its limits lie."""
