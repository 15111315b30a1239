"""RealWorld's backend API: users who follow one another, write articles, like them and comment on them."""
