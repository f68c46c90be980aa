"""Publishing: the result tables, who writes them and who reads them."""
