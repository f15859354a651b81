"""Measures what photopal knows of people on camera photos, on folders of photos by identity."""
