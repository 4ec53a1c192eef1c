"""The review room: look at every change of a work, refuse it, accept what is suggested, and see at once what comes of it."""
