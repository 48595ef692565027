"""What a session is: its row, its names, its tokens and links."""
