"""The drawn world: seeded photos of people and pets with ground truth; knows nothing of models."""
