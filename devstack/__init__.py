"""The development stack: real engines, processes and checks around DocBook.

It starts PostgreSQL, Valkey and a mail sink, runs the product on them and stops them again. The
product never imports it.
"""
