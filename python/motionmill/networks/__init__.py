"""The networks of the papers, to be trained on what motionmill writes.

A network is defined in the module of its system, with its paper's names; PyTorch is needed to train one, never to run it.
"""
