"""The proof: DocBook under load and faults, judged from outside.

Clients in separate processes record what they asked and what they were answered. A checker decides
whether honest slots could have given these answers. The product never imports this.
"""
