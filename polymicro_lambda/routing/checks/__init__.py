"""What is wrong with declarations, named when the app compiles."""
