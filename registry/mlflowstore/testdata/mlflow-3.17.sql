CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('dc11669786a5');
CREATE TABLE "datasets" (
	dataset_uuid VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	digest VARCHAR(36) NOT NULL, 
	dataset_source_type VARCHAR(36) NOT NULL, 
	dataset_source TEXT NOT NULL, 
	dataset_schema TEXT, 
	dataset_profile TEXT, 
	CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest), 
	CONSTRAINT fk_datasets_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "datasets" VALUES('a6b48af0c4b94493bd614a021f43972b',1,'green_2021-01','abc123','http','{"url": "x"}','{"s": 1}','{"rows": 3}');
CREATE TABLE "experiment_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value TEXT, 
	experiment_id INTEGER NOT NULL, 
	CONSTRAINT experiment_tag_pk PRIMARY KEY ("key", experiment_id), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "experiment_tags" VALUES('team','green',1);
CREATE TABLE "experiments" (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), 
	creation_time BIGINT, 
	last_update_time BIGINT, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
INSERT INTO "experiments" VALUES(0,'Default','@DIR@/mlruns/0','active',1795326568517,1795326568517,'default');
INSERT INTO "experiments" VALUES(1,'taxi é','@DIR@/of-db/green','active',1795326568532,1795326568532,'default');
INSERT INTO "experiments" VALUES(2,'gone','@DIR@/of-db/gone','deleted',1795326568554,1795326568964,'default');
INSERT INTO "experiments" VALUES(3,'store','s3://bucket/store','active',1795326568579,1795326568579,'default');
CREATE TABLE input_tags (
	input_uuid VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	value VARCHAR(500) NOT NULL, 
	CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name)
);
INSERT INTO "input_tags" VALUES('9fa6190f293347d9afe3013ac6f16bb7','mlflow.data.context','training');
CREATE TABLE inputs (
	input_uuid VARCHAR(36) NOT NULL, 
	source_type VARCHAR(36) NOT NULL, 
	source_id VARCHAR(36) NOT NULL, 
	destination_type VARCHAR(36) NOT NULL, 
	destination_id VARCHAR(36) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
INSERT INTO "inputs" VALUES('9fa6190f293347d9afe3013ac6f16bb7','DATASET','a6b48af0c4b94493bd614a021f43972b','RUN','053aa6e9a25d47449c24807e90316714',0);
INSERT INTO "inputs" VALUES('6ff6b75dc0ea4431ba28ef994420f8cc','RUN_OUTPUT','053aa6e9a25d47449c24807e90316714','MODEL_OUTPUT','m-e7b2c9c8eb3f4d69a715196c4d2220a1',3);
INSERT INTO "inputs" VALUES('8be4c1a4f0a84ca188b51c381470b09f','RUN_INPUT','6f9fe6d918144e3292acbb5671b90932','MODEL_INPUT','m-e7b2c9c8eb3f4d69a715196c4d2220a1',0);
CREATE TABLE "latest_metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "latest_metrics" VALUES('rmse',6.4,1700000000001,2,0,'053aa6e9a25d47449c24807e90316714');
INSERT INTO "latest_metrics" VALUES('val/nan',0.0,1700000000000,0,1,'053aa6e9a25d47449c24807e90316714');
INSERT INTO "latest_metrics" VALUES('inf',1.79769313486231562234e+308,1700000000000,-3,0,'053aa6e9a25d47449c24807e90316714');
INSERT INTO "latest_metrics" VALUES('rmse',7.0,1700000002500,0,0,'6f9fe6d918144e3292acbb5671b90932');
INSERT INTO "latest_metrics" VALUES('valid',5.5,1700000000000,3,0,'053aa6e9a25d47449c24807e90316714');
CREATE TABLE logged_model_metrics (
	model_id VARCHAR(36) NOT NULL, 
	metric_name VARCHAR(500) NOT NULL, 
	metric_timestamp_ms BIGINT NOT NULL, 
	metric_step BIGINT NOT NULL, 
	metric_value FLOAT, 
	experiment_id INTEGER NOT NULL, 
	run_id VARCHAR(32) NOT NULL, 
	dataset_uuid VARCHAR(36), 
	dataset_name VARCHAR(500), 
	dataset_digest VARCHAR(36), 
	CONSTRAINT logged_model_metrics_pk PRIMARY KEY (model_id, metric_name, metric_timestamp_ms, metric_step, run_id), 
	CONSTRAINT fk_logged_model_metrics_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_metrics_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE, 
	CONSTRAINT fk_logged_model_metrics_run_id FOREIGN KEY(run_id) REFERENCES runs (run_uuid) ON DELETE CASCADE
);
INSERT INTO "logged_model_metrics" VALUES('m-e7b2c9c8eb3f4d69a715196c4d2220a1','valid',1700000000000,3,5.5,1,'053aa6e9a25d47449c24807e90316714',NULL,'green','abc');
CREATE TABLE logged_model_params (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	param_key VARCHAR(255) NOT NULL, 
	param_value TEXT NOT NULL, 
	CONSTRAINT logged_model_params_pk PRIMARY KEY (model_id, param_key), 
	CONSTRAINT fk_logged_model_params_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_params_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO "logged_model_params" VALUES('m-e7b2c9c8eb3f4d69a715196c4d2220a1',1,'depth','30');
CREATE TABLE logged_model_tags (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	tag_key VARCHAR(255) NOT NULL, 
	tag_value TEXT NOT NULL, 
	CONSTRAINT logged_model_tags_pk PRIMARY KEY (model_id, tag_key), 
	CONSTRAINT fk_logged_model_tags_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_tags_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO "logged_model_tags" VALUES('m-e7b2c9c8eb3f4d69a715196c4d2220a1',1,'t','u');
CREATE TABLE logged_models (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	artifact_location VARCHAR(1000) NOT NULL, 
	creation_timestamp_ms BIGINT NOT NULL, 
	last_updated_timestamp_ms BIGINT NOT NULL, 
	status INTEGER NOT NULL, 
	lifecycle_stage VARCHAR(32), 
	model_type VARCHAR(500), 
	source_run_id VARCHAR(32), 
	status_message VARCHAR(1000), 
	CONSTRAINT logged_models_pk PRIMARY KEY (model_id), 
	CONSTRAINT logged_models_lifecycle_stage_check CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT fk_logged_models_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "logged_models" VALUES('m-e7b2c9c8eb3f4d69a715196c4d2220a1',1,'model','@DIR@/of-db/green/models/m-e7b2c9c8eb3f4d69a715196c4d2220a1/artifacts',1795326569423,1795326571902,2,'active','tree','053aa6e9a25d47449c24807e90316714',NULL);
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "metrics" VALUES('rmse',6.5,1700000000000,'053aa6e9a25d47449c24807e90316714',1,0);
INSERT INTO "metrics" VALUES('rmse',6.4,1700000000001,'053aa6e9a25d47449c24807e90316714',2,0);
INSERT INTO "metrics" VALUES('val/nan',0.0,1700000000000,'053aa6e9a25d47449c24807e90316714',0,1);
INSERT INTO "metrics" VALUES('inf',1.79769313486231562234e+308,1700000000000,'053aa6e9a25d47449c24807e90316714',-3,0);
INSERT INTO "metrics" VALUES('rmse',7.0,1700000002500,'6f9fe6d918144e3292acbb5671b90932',0,0);
INSERT INTO "metrics" VALUES('valid',5.5,1700000000000,'053aa6e9a25d47449c24807e90316714',3,0);
CREATE TABLE "model_version_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value TEXT, 
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT model_version_tag_pk PRIMARY KEY (workspace, "key", name, version), 
	CONSTRAINT fk_model_version_tags_model_versions FOREIGN KEY(workspace, name, version) REFERENCES model_versions (workspace, name, version) ON UPDATE CASCADE
);
INSERT INTO "model_version_tags" VALUES('i','0','Ride',1,'default');
INSERT INTO "model_version_tags" VALUES('i','1','Ride',2,'default');
INSERT INTO "model_version_tags" VALUES('i','2','Ride',3,'default');
CREATE TABLE "model_versions" (
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	user_id VARCHAR(256), 
	current_stage VARCHAR(20), 
	source VARCHAR(500), 
	run_id VARCHAR(32), 
	status VARCHAR(20), 
	status_message VARCHAR(500), 
	run_link VARCHAR(500), 
	storage_location VARCHAR(500), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT model_version_pk PRIMARY KEY (workspace, name, version), 
	CONSTRAINT fk_model_versions_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
INSERT INTO "model_versions" VALUES('Ride',1,1795326569028,1795326569311,'v',NULL,'Staging','@DIR@/of-db/green/053aa6e9a25d47449c24807e90316714/artifacts/dir','053aa6e9a25d47449c24807e90316714','READY',NULL,NULL,'@DIR@/of-db/green/053aa6e9a25d47449c24807e90316714/artifacts/dir','default');
INSERT INTO "model_versions" VALUES('Ride',2,1795326569063,1795326569063,'v',NULL,'None','@DIR@/of-db/green/6f9fe6d918144e3292acbb5671b90932/artifacts/dir','6f9fe6d918144e3292acbb5671b90932','READY',NULL,NULL,'@DIR@/of-db/green/6f9fe6d918144e3292acbb5671b90932/artifacts/dir','default');
INSERT INTO "model_versions" VALUES('Ride',3,1795326569083,1795326569406,NULL,NULL,'Deleted_Internal','REDACTED-SOURCE-PATH','REDACTED-RUN-ID','READY',NULL,'REDACTED-RUN-LINK','@DIR@/of-db/green/053aa6e9a25d47449c24807e90316714/artifacts/dir','default');
INSERT INTO "model_versions" VALUES('Ride',4,1795326571941,1795326571941,NULL,NULL,'None','models:/m-e7b2c9c8eb3f4d69a715196c4d2220a1','053aa6e9a25d47449c24807e90316714','READY',NULL,NULL,'@DIR@/of-db/green/models/m-e7b2c9c8eb3f4d69a715196c4d2220a1/artifacts','default');
CREATE TABLE "params" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000) NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" VALUES('depth','30','053aa6e9a25d47449c24807e90316714');
INSERT INTO "params" VALUES('empty','','053aa6e9a25d47449c24807e90316714');
CREATE TABLE "registered_model_aliases" (
	alias VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_alias_pk PRIMARY KEY (workspace, name, alias), 
	CONSTRAINT fk_registered_model_aliases_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "registered_model_aliases" VALUES('best',1,'Ride','default');
CREATE TABLE "registered_model_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	name VARCHAR(256) NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_tag_pk PRIMARY KEY (workspace, "key", name), 
	CONSTRAINT fk_registered_model_tags_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
INSERT INTO "registered_model_tags" VALUES('a','b','Ride','default');
CREATE TABLE "registered_models" (
	name VARCHAR(256) NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_pk PRIMARY KEY (workspace, name)
);
INSERT INTO "registered_models" VALUES('Ride',1795326569003,1795326571941,'rides','default');
CREATE TABLE "runs" (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(9), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, deleted_time BIGINT, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" VALUES('053aa6e9a25d47449c24807e90316714','first','UNKNOWN','','','me','FINISHED',1700000000000,1700000001000,'','active','@DIR@/of-db/green/053aa6e9a25d47449c24807e90316714/artifacts',1,NULL);
INSERT INTO "runs" VALUES('6f9fe6d918144e3292acbb5671b90932','child','UNKNOWN','','','unknown','RUNNING',1700000002000,NULL,'','active','@DIR@/of-db/green/6f9fe6d918144e3292acbb5671b90932/artifacts',1,NULL);
INSERT INTO "runs" VALUES('67d7ed0b59f14990b766e3da17697f9c','deleted','UNKNOWN','','','unknown','RUNNING',1700000003000,NULL,'','deleted','@DIR@/of-db/green/67d7ed0b59f14990b766e3da17697f9c/artifacts',1,1795326568936);
INSERT INTO "runs" VALUES('0c28a5557495493f936c441b58abebc5','of the deleted','UNKNOWN','','','unknown','RUNNING',1,NULL,'','deleted','@DIR@/of-db/gone/0c28a5557495493f936c441b58abebc5/artifacts',2,1795326568972);
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('mlflow.user','me','053aa6e9a25d47449c24807e90316714');
INSERT INTO "tags" VALUES('k/é','v','053aa6e9a25d47449c24807e90316714');
INSERT INTO "tags" VALUES('mlflow.runName','first','053aa6e9a25d47449c24807e90316714');
INSERT INTO "tags" VALUES('note','a "quoted"
text','053aa6e9a25d47449c24807e90316714');
INSERT INTO "tags" VALUES('mlflow.parentRunId','053aa6e9a25d47449c24807e90316714','6f9fe6d918144e3292acbb5671b90932');
INSERT INTO "tags" VALUES('mlflow.runName','child','6f9fe6d918144e3292acbb5671b90932');
INSERT INTO "tags" VALUES('mlflow.runName','deleted','67d7ed0b59f14990b766e3da17697f9c');
INSERT INTO "tags" VALUES('mlflow.runName','of the deleted','0c28a5557495493f936c441b58abebc5');
