"""Plans carried out: queries, and the rows that they give."""
