"""The proof: DocBook under load and faults, judged from outside.

Clients in processes of their own write down what they asked and what they were told; a checker
decides whether one slot after another could have behaved so. The product never imports this.
"""
