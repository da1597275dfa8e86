"""What the tools of the deep-learning skills share: the target contract, state that is restored, and reports."""
