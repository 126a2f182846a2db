"""A discrete-event model of a cluster: extraction, insertion and search beyond what is at hand."""
