"""Demo data: real cities and fields of medicine, invented people. For development only."""
