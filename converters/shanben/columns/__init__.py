"""Reading order from text alone: lines that a page or a program put in the wrong place, put back.

`order.reorder` is the way in. Nothing heavy is imported here: most texts need no more than `lines`.
"""
