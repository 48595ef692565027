"""What CloudFormation reads to detect the drift of each type of resource."""

from __future__ import annotations

# DetectStackDrift is authorised for the stack and each of its resources, which it reads in the name of whoever asks:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/detect-drift-stack.html
# What it reads are the `read` permissions of the resource type's schema, as far as the template sets such properties.
READ_FOR_DRIFT: dict[str, set[str]] = {
    "AWS::ApiGatewayV2::Api": {"apigateway:GET"},
    "AWS::ApiGatewayV2::ApiMapping": {"apigateway:GET"},
    "AWS::ApiGatewayV2::DomainName": {"apigateway:GET"},
    "AWS::ApiGatewayV2::Stage": {"apigateway:GET"},
    "AWS::CloudWatch::Alarm": {"cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"},
    "AWS::CloudWatch::Dashboard": {"cloudwatch:GetDashboard"},
    "AWS::DynamoDB::Table": {
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeContributorInsights",
        "dynamodb:DescribeKinesisStreamingDestination",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:GetResourcePolicy",
        "dynamodb:ListTagsOfResource",
    },
    "AWS::EC2::SecurityGroup": {"ec2:DescribeSecurityGroups"},
    "AWS::EC2::SecurityGroupIngress": {"ec2:DescribeSecurityGroupRules"},
    "AWS::ECS::Cluster": {"ecs:DescribeClusters"},
    "AWS::ECS::Service": {"ecs:DescribeServices"},
    "AWS::ECS::TaskDefinition": {"ecs:DescribeTaskDefinition", "ecs:ListTagsForResource"},
    "AWS::ElasticLoadBalancingV2::Listener": {
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListeners",
    },
    "AWS::ElasticLoadBalancingV2::ListenerRule": {"elasticloadbalancing:DescribeRules"},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
    },
    "AWS::ElasticLoadBalancingV2::TargetGroup": {
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
    },
    "AWS::Events::Rule": {"events:DescribeRule", "events:ListTargetsByRule"},
    "AWS::IAM::Role": {"iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"},
    "AWS::KMS::Key": {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"},
    "AWS::Lambda::EventInvokeConfig": {"lambda:GetFunctionEventInvokeConfig"},
    "AWS::Lambda::EventSourceMapping": {"lambda:GetEventSourceMapping"},
    "AWS::Lambda::Function": {
        "lambda:GetFunction",
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:GetFunctionRecursionConfig",
        "lambda:GetRuntimeManagementConfig",
        "lambda:ListTags",
    },
    "AWS::Lambda::LayerVersion": {"lambda:GetLayerVersion"},
    "AWS::Lambda::Permission": {"lambda:GetPolicy"},
    "AWS::Logs::LogGroup": {"logs:DescribeLogGroups", "logs:ListTagsForResource"},
    "AWS::Logs::MetricFilter": {"logs:DescribeMetricFilters"},
    "AWS::Route53::RecordSet": {"route53:GetHostedZone", "route53:ListResourceRecordSets"},
    "AWS::SNS::Subscription": {"sns:GetSubscriptionAttributes"},
    "AWS::SNS::Topic": {
        "sns:GetDataProtectionPolicy",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:ListTagsForResource",
    },
    "AWS::SNS::TopicPolicy": set(),  # has no drift detection
    "AWS::SQS::Queue": {"sqs:GetQueueAttributes", "sqs:ListQueueTags"},
    "AWS::SQS::QueuePolicy": set(),  # has none
    "AWS::SecretsManager::Secret": {"secretsmanager:DescribeSecret"},
    "AWS::StepFunctions::StateMachine": {"states:DescribeStateMachine", "states:ListTagsForResource"},
}
