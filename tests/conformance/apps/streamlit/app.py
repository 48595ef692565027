from __future__ import annotations

import streamlit as st

st.title("before")
uploaded = st.file_uploader("Message")
if uploaded:
    st.write("received", uploaded.getvalue().decode())
if st.button("Press"):
    st.write("pressed")
