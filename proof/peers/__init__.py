"""DocBook beside other open schedulers, in one run: `make bench SUITE=peers`."""
