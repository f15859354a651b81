"""How people, pets, props and places are painted; knows nothing of scenes, words or files."""
