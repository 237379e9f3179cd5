"""Lambda's runtime client on this machine: functions run from the built packages."""
