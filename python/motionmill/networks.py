"""Where the papers' networks were: they are a distribution of their own."""

raise ImportError("the papers' networks are in `motionmill_networks`: pip install motionmill-networks")
