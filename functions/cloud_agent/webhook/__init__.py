"""POST /webhook: a delivery is verified, decided and acted on."""
