"""The official codes' loops, written plainly on the networks of this package, for `train.py`: a file for each system.

Each has `system(small)`, the networks at the size that is measured; `loop(system)`, a step and its optimisers;
`batch(system, step)`, which is alike in any process.
"""
