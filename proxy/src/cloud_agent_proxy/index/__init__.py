"""The index, `https://sign-in.<UAT_DOMAIN>/`: the sessions that a visitor may see, the queue, and the capacity.

`overviews` reads what there is, `visitors` says who may see what of it, `view` and `renderer` make a page of it.
"""
