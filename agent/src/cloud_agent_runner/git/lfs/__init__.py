"""Git LFS: the content of files that Git itself has pointers to."""
