"""How the bundled model photopal-mini is trained from scratch on the drawn world."""
