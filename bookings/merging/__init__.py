"""Two accounts of one patient become one, and are parted again within a day if that was wrong."""
