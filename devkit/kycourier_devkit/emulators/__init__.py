"""What imitates a cloud or its function runtime here; the KYC platform is sandbox/."""
