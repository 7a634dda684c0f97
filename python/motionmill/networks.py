"""Former place of the papers' networks, which are a separate distribution now."""

raise ImportError("the papers' networks are in `motionmill_networks`: pip install motionmill-networks")
