"""The pocket models that come with the book: facts, corpus, recipes, pretraining and weights."""
