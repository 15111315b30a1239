"""Several writes that are done together: said in a block, gathered, and sent as one TransactWriteItems."""
