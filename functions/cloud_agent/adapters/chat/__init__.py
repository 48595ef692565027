"""Chats: where people read what is told of their sessions."""
