"""What is said of drawn photos: questions in many wordings, and answers that are true."""
