"""Secrets Manager, ECS and Step Functions; boto3's clients, made once."""
