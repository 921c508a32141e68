"""The development stack: real engines, processes and checks around DocBook.

This package stands at the edge of the house. It starts PostgreSQL, Valkey and a mail sink, runs
the product on them and stops them again. The product never imports it.
"""
