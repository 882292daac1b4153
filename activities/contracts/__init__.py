"""What vendors' clients speak: one module per contract, none knows another."""
