"""The real functions in processes of their own, concurrent and on real stores."""
